/** What this build calls itself; a test holds it to the package. */
export const VERSION = '0.1.0';
