/**
 * Guard: who may look. What the observer shows is for the operator alone, and a browser lets any page of any site ask
 * whatever this machine listens on: so a request must not come from a page of elsewhere, nor by a name that somebody else gave
 * this machine, and it must bring the secret where there is one.
 *
 * The secret is asked for once in an address, and answered by a cookie that is not the secret: who gets hold of the cookie
 * can look, and read no shape.
 */
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { PageAnswer, PageRequest } from '../../api/page.ts';
import { bearsSecret, isSameSecret } from '../../settings/secret.ts';
import { errorAnswer, seeOther } from './page-answers.ts';

const COOKIE = 'armature_observer';
/** Lax: who follows a link of elsewhere to a view is known. What changes something wants a header and an origin besides. */
const COOKIE_SCOPE = 'Path=/_observer; HttpOnly; SameSite=Lax';
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export class Guard {
  private readonly pass: string | undefined;

  /** @param secret undefined: everybody may look who comes by a name of this machine, and by no proxy. */
  constructor(private readonly secret: string | undefined) {
    this.pass = secret === undefined ? undefined : createHmac('sha256', secret).update('armature observer').digest('base64url');
  }

  /**
   * @param isPage it is looked at by a person, who may have followed a link of elsewhere.
   * @returns the refusal, or undefined for one who may see the answer.
   */
  refusalOf(request: PageRequest, isPage: boolean): PageAnswer | undefined {
    if (isForeign(request.headers) && !(isPage && isFollowedLink(request))) return foreign();
    if (this.secret === undefined) return unguardedRefusal(request.headers);
    return this.isKnown(this.secret, request.headers) ? undefined : unauthorized();
  }

  /**
   * The secret in the address of a page: a cookie for it, and on to the same address without it.
   *
   * @returns undefined when there is no secret in it, or when nobody asks for one.
   */
  exchange({ path, query, headers }: PageRequest): PageAnswer | undefined {
    const given = query.get('secret');
    if (given === null) return undefined;
    const left = new URLSearchParams(query);
    left.delete('secret');
    const location = left.size === 0 ? path : `${path}?${left.toString()}`;
    if (this.secret === undefined || this.pass === undefined) return unguardedRefusal(headers) ?? seeOther(location);
    return isSameSecret(given, this.secret) ? seeOther(location, `${COOKIE}=${this.pass}; ${scopeOf(headers)}`) : unauthorized();
  }

  private isKnown(secret: string, { authorization, cookie = '' }: IncomingHttpHeaders): boolean {
    return bearsSecret(authorization, secret) || isSameSecret(cookieOf(cookie), this.pass ?? '');
  }
}

/** A page of another origin asks, of the same host on another port too. Who sends neither header is no browser, or an old one. */
function isForeign({ origin, host = '', 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}

/** Shown in a window of its own: no script of the other page sees it, and no frame holds it. */
function isFollowedLink({ method, headers }: PageRequest): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function scopeOf(headers: IncomingHttpHeaders): string {
  return headers['x-forwarded-proto'] === 'https' ? `${COOKIE_SCOPE}; Secure` : COOKIE_SCOPE;
}

/** Without a secret whoever sits at this machine may look, and nobody whom a proxy on it lets in from elsewhere. */
function unguardedRefusal(headers: IncomingHttpHeaders): PageAnswer | undefined {
  if (Object.keys(headers).some((name) => /^(forwarded|via|x-forwarded-.*|x-real-ip)$/.test(name))) return proxied();
  return isLocal(headers.host) ? undefined : foreignName();
}

/** By a name that no other site can have for itself, as a site can that rebinds its own name to this machine. */
function isLocal(host = ''): boolean {
  return LOCAL_NAMES.includes(host.replace(/:\d{1,5}$/, '').toLowerCase());
}

/** The first of that name: a browser sends the one of the longest path before all others. */
function cookieOf(header: string): string {
  for (const part of header.split(';')) {
    const [name, value = ''] = part.trim().split('=', 2);
    if (name === COOKIE) return value;
  }
  return '';
}

function foreign(): PageAnswer {
  return errorAnswer(403, 'foreign_site', 'The observer answers its own page only, and no page of another site.');
}

function foreignName(): PageAnswer {
  const message = 'Without a secret the observer is reached as localhost, 127.0.0.1 or [::1] only: set ARMATURE_SECRET for another name.';
  return errorAnswer(403, 'foreign_host', message);
}

function proxied(): PageAnswer {
  const message = 'Without a secret the observer does not answer what comes through a proxy: set ARMATURE_SECRET for that.';
  return errorAnswer(403, 'foreign_proxy', message);
}

function unauthorized(): PageAnswer {
  const message = 'The secret is missing or wrong: open /_observer?secret=… once, or send it as "Authorization: Bearer …".';
  return errorAnswer(401, 'unauthorized', message);
}
