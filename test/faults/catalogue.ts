export function listCatalogue(number?: string): string {
  return String(number)
}
