import '../actors/materializer.ts';
import '../api/serve.ts'; // refused: supervisors-sees-only-below
import 'xstate'; // refused: supervisors-have-no-behaviour, supervisors-packages
