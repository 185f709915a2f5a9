/** The page, which Vite builds as it is asked for; changes to its files are seen at once. Nothing of it comes from elsewhere. */
import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { createServer, type ViteDevServer } from 'vite';

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url));
/** The packages of the page, each made one file of; beside what the service and its Postgres keep. */
const CACHE = resolve('.armature/todo/page');
/** Made ready before the first page asks, which would have to be loaded twice otherwise. */
const PACKAGES = ['react', 'react-dom/client', 'react/jsx-dev-runtime', '@electric-sql/react'];

/** @param server carries, besides the page, what tells it that a file has changed. */
export async function openPage(server: Server): Promise<ViteDevServer> {
  return await createServer({
    root: join(EXAMPLE, 'page'),
    cacheDir: CACHE,
    configFile: false,
    appType: 'spa',
    logLevel: 'warn',
    plugins: [react()],
    optimizeDeps: { include: PACKAGES },
    server: { middlewareMode: true, hmr: { server }, fs: { allow: [EXAMPLE, CACHE] } },
  });
}
