/**
 * The certificates by which a database proves who it is, from a file that the operator names: in PEM, one or several.
 *
 * They are read once, at the start. A file that holds none must never count as one that trusts everybody.
 */
import { X509Certificate } from 'node:crypto';
import type { DatabaseProblem } from './database-url.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * @param read of a file's whole text; what it throws has the system's code.
 * @returns the certificates in PEM, or what is wrong with the file.
 */
export async function caCertificates(path: string, read: (path: string) => Promise<string>): Promise<string | DatabaseProblem> {
  const found = await read(path).catch(refusedRead);
  if (typeof found !== 'string') return invalid(path, `it cannot be read (${found.code})`);
  const certificates = found.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return invalid(path, 'it has no certificate in it, in PEM (-----BEGIN CERTIFICATE-----)');
  const broken = certificates.findIndex((pem) => !isCertificate(pem));
  return broken === -1 ? certificates.join('\n') : invalid(path, `certificate ${broken + 1} of ${certificates.length} in it is damaged`);
}

function refusedRead(error: unknown): { readonly code: string } {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return { code: error.code };
  throw error;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // As OpenSSL names it.
    throw error;
  }
}

function invalid(path: string, why: string): DatabaseProblem {
  return { code: 'bad_ca_file', message: `Invalid CA certificate file ${path}: ${why}.` };
}
