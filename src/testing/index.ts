/** What apps import in their own tests. */

export { createTestContext } from './context.js'
