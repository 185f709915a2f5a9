/** Armature as a library: the service in a process of one's own. */
export { ConfigurationError } from './settings/configuration-error.ts';
export { readConfiguration, type Configuration } from './settings/configuration.ts';
export { startService, startService as startStack, type Service } from './service/service.ts';
export { systemWorld, type World } from './service/world.ts';
