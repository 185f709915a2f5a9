import type { Word } from '../base/word.ts';
import type { Tag } from '../model/tag.ts'; // refused: otp-never-sees-model
import type { Where } from '../sql/where.ts'; // refused: otp-sees-only-below
import type { Shape } from '../shapes/shape.ts'; // refused: otp-sees-only-below
import 'node:async_hooks';
import 'xstate';
import 'pg'; // refused: otp-packages

export type Process = [Word, Tag, Where, Shape];
