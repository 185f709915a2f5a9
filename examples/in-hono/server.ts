/** Shapes as a route of Hono, which speaks the web's own `Request` and `Response`: each client gets the issues of its own team. */
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Service } from 'armature';

const TEAMS = new Map([['Bearer ada', 'blue'], ['Bearer bob', 'red']]); // In earnest: sessions.

export async function startServer(service: Service, port: number): Promise<Server> {
  const issues = service.fetchHandler({
    authorize({ headers }) {
      const team = TEAMS.get(headers.get('authorization') ?? '');
      return team === undefined ? false : { table: 'issues', where: 'team = $1', params: [team] };
    },
  });
  const app = new Hono();
  app.all('/shapes/issues', ({ req }) => issues(req.raw));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve(server as Server));
  });
}
