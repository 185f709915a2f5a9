import 'node:fs';
import 'node:net'; // refused: net-behind-its-file
