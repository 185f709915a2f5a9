/** Certificates as an operator makes them, with Debian's `openssl`: an authority, and servers that it has signed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export interface SignedServer {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** The file of its own certificate, in PEM. */
  readonly certificate: string;
  /** Files of a certificate for a server of that host name, and of its key. */
  sign(host: string): SignedServer;
}

/** @param directory there, and the test's. @param name of the authority. */
export function makeAuthority(directory: string, name: string): Authority {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  openssl([...NEW, '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate]);
  return {
    certificate,
    sign(host) {
      const signed = { certificate: join(directory, `${host}.crt`), key: join(directory, `${host}.key`) };
      const named = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
      openssl([...NEW, ...named, '-CA', certificate, '-CAkey', key, '-keyout', signed.key, '-out', signed.certificate]);
      return signed;
    },
  };
}

const NEW = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

function openssl(words: readonly string[]): void {
  const { error, status, stderr } = spawnSync('openssl', words, { encoding: 'utf8' });
  if (error !== undefined) throw new Error('This test makes certificates with openssl, which is not here: apt-get install openssl');
  if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr}`);
}
