/** The reason with which a server that closes ends the waits of its requests. Any other means that nobody wants an answer. */
export const DRAINING = 'draining';
