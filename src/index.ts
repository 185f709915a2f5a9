/** Armature as a library: the service in a process of one's own. */
export { ConfigurationError } from './database.ts';
export { readConfiguration, type Configuration } from './configuration.ts';
export { startService, startService as startStack, type Service } from './main.ts';
export { systemWorld, type World } from './world.ts';
