import 'xstate';
import './words.ts';
import 'pino'; // refused: examples-use-what-is-published
import 'node:fs'; // refused: examples-use-what-is-published
import '../../src/base/word.ts'; // refused: examples-use-what-is-published
