/** Where web and worker processes of raw BullMQ meet. */
export const rawQueue = 'raw'
