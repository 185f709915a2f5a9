/** Shapes behind a server of Node's own: each client gets the issues of its own team, whatever it asks for. */
import { createServer, type Server } from 'node:http';
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
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/shapes/issues')) issues(request, response);
    else response.writeHead(404).end();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
