import 'node:http'; // refused: http-behind-its-file
