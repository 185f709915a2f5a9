import { setup } from 'xstate';
import type { Request } from './consumer-ports.ts';

export const materializer = setup({ types: { events: {} as Request } }).createMachine({});
