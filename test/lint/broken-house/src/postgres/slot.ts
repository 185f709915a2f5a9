import 'pg';
import 'node:child_process'; // refused: child_process-behind-its-file
import 'node:worker_threads'; // refused: threads-behind-its-file
import 'vitest'; // refused: postgres-packages, product-ships-its-packages
