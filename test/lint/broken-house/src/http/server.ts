import 'node:http';
import '../api/answer.ts';
import '../actors/materializer.ts'; // refused: http-never-sees-actors
import '../storage/engine.ts'; // refused: http-never-sees-actors
import '../postgres/slot.ts'; // refused: http-never-sees-actors
