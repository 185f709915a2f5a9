/** Shapes as a route of Express: each client gets the issues of its own team, whatever it asks for. */
import type { Server } from 'node:http';
import express from 'express';
import { nodeListener, type Service } from 'armature';

const TEAMS = new Map([['Bearer ada', 'blue'], ['Bearer bob', 'red']]); // In earnest: sessions.

export async function startServer(service: Service, port: number): Promise<Server> {
  const issues = service.fetchHandler({
    authorize({ headers }) {
      const team = TEAMS.get(headers.get('authorization') ?? '');
      return team === undefined ? false : { table: 'issues', where: 'team = $1', params: [team] };
    },
  });
  const app = express();
  app.all('/shapes/issues', nodeListener(issues)); // Before express.json(): the handler reads bodies itself.
  app.use(express.json());
  return new Promise((resolve, reject) => {
    const server = app.listen(port, '127.0.0.1', (error) => (error === undefined ? resolve(server) : reject(error)));
  });
}
