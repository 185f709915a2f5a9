import '../model/lsn.ts'; // refused: base-sees-only-below
import 'node:buffer'; // refused: pure-rooms-know-no-machine
import 'pino'; // refused: base-packages
