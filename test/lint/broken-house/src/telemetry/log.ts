import 'pino';
import '../actors/materializer.ts';
