import type { Tag } from '../model/tag.ts';
import 'libpg-query';
import 'node:crypto'; // refused: pure-rooms-know-no-machine
import 'xstate'; // refused: sql-packages

export type Where = Tag;
