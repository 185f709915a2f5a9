/** Run it with the address of a database that has a table `issues` with a column `team`. */
import { startService } from 'armature';
import { startServer } from './server.ts';

const [databaseUrl = 'postgresql://postgres@127.0.0.1:5432/postgres'] = process.argv.slice(2);
const service = await startService({ databaseUrl, listen: false });
const server = await startServer(service, 4000);
console.log('Issues of your team: http://127.0.0.1:4000/shapes/issues');

process.once('SIGINT', () => {
  server.close();
  void service.stop();
});
