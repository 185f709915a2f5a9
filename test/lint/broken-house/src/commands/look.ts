import '../postgres/slot.ts';
import '../service/wire.ts'; // refused: commands-sees-only-below
