import type { Part } from '../part.js'

export const outage: Part = async () => []
