import { type Check, fault, ok } from './check.js'

/** As package.json says. */
const least = [20, 19] as const

export const nodeCheck: Check = {
  id: 'node',
  title: 'Node.js',
  judge({ node }) {
    const [major = 0, minor = 0] = node.replace(/^v/, '').split('.').map(Number)
    const isNewEnough = major > least[0] || (major === least[0] && minor >= least[1])
    if (isNewEnough) return ok(node)
    return fault(`Node ${node} is too old.`, `Install Node ${least.join('.')} or later.`)
  },
}
