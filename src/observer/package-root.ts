/** PackageRoot: where what the build has made lies, the same from the sources as from what is built, wherever the build puts a module. */
import { existsSync } from 'node:fs';

/** The nearest directory above that has a manifest. Where none has one, it is that of the file system, which holds nothing of ours. */
export function packageRoot(directory = new URL('.', import.meta.url)): URL {
  const above = new URL('..', directory);
  return existsSync(new URL('package.json', directory)) || above.href === directory.href ? directory : packageRoot(above);
}
