import type { AddressInfo } from 'node:net';
import './telemetry/log.ts';
import './http/route.ts';
import './attic/box.ts'; // refused: unknown-room
import './attic/gone.ts'; // refused: nothing-missing
import '../test/proof.ts'; // refused: product-knows-no-proof

export type Address = AddressInfo;
