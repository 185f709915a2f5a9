import '../src/actors/materializer.ts';
import 'vitest';
