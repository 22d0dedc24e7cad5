/** What a value is when it has come as JSON. */
export type Json<Value> = unknown extends Value
  ? Value
  : Value extends Date
    ? string
    : Value extends readonly (infer Item)[]
      ? readonly Json<Item>[]
      : Value extends object
        ? { readonly [Key in keyof Value]: Json<Value[Key]> }
        : Value
