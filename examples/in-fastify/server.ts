/** Shapes as a route of Fastify: each client gets the issues of its own team, whatever it asks for. */
import type { Server } from 'node:http';
import { fastify } from 'fastify';
import { nodeListener, type Service } from 'armature';

const TEAMS = new Map([['Bearer ada', 'blue'], ['Bearer bob', 'red']]); // In earnest: sessions.

export async function startServer(service: Service, port: number): Promise<Server> {
  const issues = nodeListener(
    service.fetchHandler({
      authorize({ headers }) {
        const team = TEAMS.get(headers.get('authorization') ?? '');
        return team === undefined ? false : { table: 'issues', where: 'team = $1', params: [team] };
      },
    }),
  );
  const app = fastify();
  await app.register(async (shapes) => {
    shapes.removeAllContentTypeParsers(); // In here: the handler reads bodies itself.
    shapes.addContentTypeParser('*', (_request, _body, done) => done(null));
    shapes.route({
      method: ['GET', 'HEAD', 'POST', 'OPTIONS'],
      url: '/shapes/issues',
      handler(request, reply) {
        reply.hijack();
        issues(request.raw, reply.raw);
      },
    });
  });
  await app.listen({ port, host: '127.0.0.1' });
  return app.server;
}
