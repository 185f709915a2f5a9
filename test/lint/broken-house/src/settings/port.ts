import '../base/word.ts';
import '../model/tag.ts'; // refused: settings-sees-only-below
