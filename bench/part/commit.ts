import type { Part } from '../part.js'

export const commit: Part = async () => []
