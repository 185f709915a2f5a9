/**
 * A disk in memory that keeps its promises and no more. What was not synced may after `crash` be lost, be there in part,
 * or be there while what was written before it is not. After a failed sync the pages look clean: they can be read, no
 * later sync writes them, and the power takes them. A test can hold back syncs, make an operation fail, refuse some changes
 * by plan, and keep an image of the disk at every change.
 */
import { dirname } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import type { Disk, DiskFile, OpenMode } from '../../src/storage/disk/disk.ts';
import { DiskError } from '../../src/storage/errors.ts';

/** A change of a file's content that no sync has covered. */
type Write = { readonly at: number; readonly bytes: Buffer } | { readonly size: number };

interface Node {
  readonly kind: 'file' | 'directory';
  /** As a process sees it. */
  bytes: Buffer;
  /** As the platter has it. */
  durable: Buffer;
  /** On the way from the one to the other. */
  pending: readonly Write[];
}

/** Which operations of the disk are refused, as they are counted; a change that is refused was perhaps done in part. */
export interface Refusals {
  /** Changes, or what only looks at the disk. */
  readonly of: 'changes' | 'looks';
  /** The first one, from 0. */
  readonly from: number;
  readonly count: number;
  readonly code: string;
}

const COUNTED: Readonly<Record<string, Refusals['of']>> = {
  create: 'changes', sync: 'changes', write: 'changes', truncate: 'changes', rename: 'changes', remove: 'changes', make: 'changes',
  list: 'looks', open: 'looks', read: 'looks', close: 'looks',
};

/** Changes of names that are atomic, and not yet synced. */
interface NameChange {
  /** With all that is in it, as far as that has a name. */
  readonly moved?: { readonly from: string; readonly to: string };
  readonly removed: readonly string[];
  readonly added: readonly (readonly [string, Node])[];
}

export class MemoryDisk {
  names = new Map<string, Node>([['/', directoryNode()]]);
  /** Names that a crash leaves for certain. */
  private durableNames = new Map<string, Node>(this.names);
  private pendingNames: readonly NameChange[] = [];
  private held: (() => void)[] | undefined;
  private failing: { operation: string; code: string; path: RegExp } | undefined;
  /** How many of each were asked for. */
  readonly asked: Record<Refusals['of'], number> = { changes: 0, looks: 0 };
  private readonly refused = new Set<string>();
  private planned: Refusals | undefined;
  /** Grows with each crash: files opened before it are dead. */
  private boot = 0;
  syncCount = 0;
  /** How many were opened and not closed again. */
  openFiles = 0;
  /** A device that lies: a sync of such files is said to be done, and what it covers never arrives. */
  forgetsSyncsOf: RegExp | undefined;
  /** Told before each change of the disk, and before each sync. */
  beforeChange: () => void = () => {};

  /** As one process sees it: what it does after a crash has no effect. */
  mount(): Disk {
    return new Mount(this, this.boot);
  }

  /** The same disk, as it is now, in the hands of nobody. */
  image(): MemoryDisk {
    const copy = new MemoryDisk();
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => copies.get(node) ?? (copies.set(node, { ...node }).get(node) as Node);
    const copied = (names: ReadonlyMap<string, Node>) => new Map([...names].map(([name, node]) => [name, copyOf(node)] as const));
    copy.names = copied(this.names);
    copy.durableNames = copied(this.durableNames);
    copy.pendingNames = this.pendingNames.map(({ added, ...change }) => ({
      ...change,
      added: added.map(([name, node]) => [name, copyOf(node)] as const),
    }));
    return copy;
  }

  /** From now on syncs of files wait, until `letSync`. */
  holdSyncs(): void {
    this.held ??= [];
  }

  letSync(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const resume of held) resume();
  }

  fail(operation: string, code: string, path = /^/): void {
    this.failing = { operation, code, path };
  }

  heal(): void {
    this.failing = undefined;
    this.planned = undefined;
  }

  refuse(plan: Refusals): void {
    this.planned = plan;
  }

  /** Some were refused already. */
  get isRefusing(): boolean {
    return this.planned !== undefined && this.asked[this.planned.of] > this.planned.from;
  }

  /** The process is killed: the kernel, and all that was written, lives on. */
  kill(): void {
    this.boot += 1;
    this.letSync();
    this.heal();
  }

  /** Power cut: keeps what is durable and, of the rest, what `random` says. */
  crash(random: Random): void {
    this.kill();
    const names = new Map(this.durableNames);
    const isOrdered = random.below(2) === 0;
    const arrived = random.below(this.pendingNames.length + 1);
    this.pendingNames.forEach((change, index) => {
      if (isOrdered ? index < arrived : random.below(2) === 0) rename(names, change);
    });
    const settledNodes = new Map<Node, Node>();
    const settle = (node: Node): Node => settledNodes.get(node) ?? (settledNodes.set(node, settled(node, random)).get(node) as Node);
    const found = [...names].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, node]) => [name, settle(node)] as const);
    this.names = new Map();
    for (const [name, node] of found) if (name === '/' || this.names.has(dirname(name))) this.names.set(name, node);
    this.durableNames = new Map(this.names);
    this.pendingNames = [];
  }

  /** Content of a file, for tests that damage it. */
  content(path: string): Buffer {
    return this.nodeOf('read', path).bytes;
  }

  /** Replaces a file's content, behind everybody's back. */
  damage(path: string, bytes: Buffer): void {
    const node = this.nodeOf('write', path);
    node.bytes = bytes;
    node.durable = bytes;
    node.pending = [];
  }

  /** Puts a file there that had gone, or had other content, behind everybody's back. Its directory is there. */
  putBack(path: string, bytes: Buffer): void {
    const node = this.names.get(path) ?? fileNode();
    this.names.set(path, node);
    this.durableNames.set(path, node);
    this.damage(path, bytes);
  }

  /** Takes a file away, behind everybody's back. */
  lose(path: string): void {
    this.names.delete(path);
    this.durableNames.delete(path);
    this.pendingNames = [];
  }

  /** A file of such a path has content that no sync has covered. */
  hasUnsynced(path: RegExp): boolean {
    return [...this.names].some(([name, { pending }]) => path.test(name) && pending.length > 0);
  }

  /** Every file, by path. */
  get files(): string[] {
    return [...this.names].filter(([, { kind }]) => kind === 'file').map(([name]) => name).sort();
  }

  /** Every operation takes a turn, may be told to fail, and does nothing for a process whose machine lost power. */
  async act<T>(boot: number, operation: string, path: string, effect: () => T, inPart: () => void = () => {}): Promise<T> {
    await Promise.resolve();
    if (boot !== this.boot) throw refusal(operation, path, 'EIO');
    if (this.failing !== undefined && this.fails(operation, path)) throw refusal(operation, path, this.failing.code);
    const code = this.refusesNext(operation);
    if (code === undefined) return effect();
    this.refused.add(operation);
    inPart();
    throw refusal(operation, path, code);
  }

  /** For an operation that has its effect all the same, also for a process whose machine lost power. */
  async refuseAlone(operation: string, path: string): Promise<void> {
    const code = this.fails(operation, path) ? this.failing?.code : this.refusesNext(operation);
    if (code === undefined) return;
    this.refused.add(operation);
    throw refusal(operation, path, code);
  }

  /** By plan, an operation of this kind. */
  wasRefused(operation: string): boolean {
    return this.refused.has(operation);
  }

  refusesNext(operation: string): string | undefined {
    const kind = COUNTED[operation];
    if (kind === undefined) return undefined;
    const number = this.asked[kind];
    this.asked[kind] += 1;
    const { of, from = 0, count = 0, code } = this.planned ?? {};
    return of === kind && number >= from && number < from + count ? code : undefined;
  }

  fails(operation: string, path: string): boolean {
    return this.failing?.operation === (operation === 'make' ? 'open' : operation) && this.failing.path.test(path);
  }

  async syncTurn(): Promise<void> {
    this.syncCount += 1;
    const held = this.held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
  }

  change(change: NameChange): void {
    this.beforeChange();
    rename(this.names, change);
    this.pendingNames = [...this.pendingNames, change];
  }

  write(node: Node, write: Write): void {
    this.beforeChange();
    node.bytes = applied(node.bytes, write);
    node.pending = [...node.pending, write];
  }

  settleNames(directory: string): void {
    this.beforeChange();
    this.nodeOf('sync', directory);
    const touches = ({ removed, added }: NameChange) =>
      [...removed, ...added.map(([name]) => name)].some((name) => dirname(name) === directory);
    for (const change of this.pendingNames.filter(touches)) rename(this.durableNames, change);
    this.pendingNames = this.pendingNames.filter((change) => !touches(change));
  }

  namesIn(directory: string): string[] {
    return [...this.names.keys()].filter((name) => name !== directory && dirname(name) === directory);
  }

  nodeOf(operation: string, path: string): Node {
    const node = this.names.get(path);
    if (node === undefined) throw refusal(operation, path, 'ENOENT');
    return node;
  }
}

function rename(names: Map<string, Node>, { moved, removed, added }: NameChange): void {
  if (moved !== undefined) move(names, moved.from, moved.to);
  for (const name of removed) names.delete(name);
  for (const [name, node] of added) names.set(name, node);
}

function move(names: Map<string, Node>, from: string, to: string): void {
  for (const [name, node] of [...names].filter(([each]) => each.startsWith(`${from}/`))) {
    names.delete(name);
    names.set(`${to}${name.slice(from.length)}`, node);
  }
}

class Mount implements Disk {
  constructor(
    private readonly disk: MemoryDisk,
    private readonly boot: number,
  ) {}

  makeDirectory(path: string): Promise<string | undefined> {
    return this.act('create', path, () => {
      const missing: string[] = [];
      for (let at = path; !this.disk.names.has(at); at = dirname(at)) missing.unshift(at);
      for (const each of missing) this.disk.change({ removed: [], added: [[each, directoryNode()]] });
      return missing[0];
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.act('sync', path, () => this.disk.settleNames(path));
  }

  list(path: string): Promise<readonly string[]> {
    return this.act('list', path, () => this.disk.namesIn(path).map((name) => name.slice(path.length + 1)));
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.act(mode === 'read' ? 'open' : 'make', path, () => {
      const existing = this.disk.names.get(path);
      if (mode === 'create' && existing !== undefined) throw refusal('open', path, 'EEXIST');
      const isMissing = existing === undefined && (mode === 'read' || !this.disk.names.has(dirname(path)));
      if (isMissing) throw refusal('open', path, 'ENOENT');
      const node = existing ?? fileNode();
      if (existing === undefined) this.disk.change({ removed: [], added: [[path, node]] });
      this.disk.openFiles += 1;
      return new MemoryFile(this.disk, path, node, this.boot);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.act('rename', from, () => {
      const node = this.disk.nodeOf('rename', from);
      this.disk.change({ ...(node.kind === 'directory' ? { moved: { from, to } } : {}), removed: [from], added: [[to, node]] });
    });
  }

  removeFile(path: string): Promise<void> {
    return this.act('remove', path, () => {
      this.disk.nodeOf('remove', path);
      this.disk.change({ removed: [path], added: [] });
    });
  }

  private act<T>(operation: string, path: string, effect: () => T): Promise<T> {
    return this.disk.act(this.boot, operation, path, effect);
  }
}

class MemoryFile implements DiskFile {
  constructor(
    private readonly disk: MemoryDisk,
    private readonly path: string,
    private readonly node: Node,
    private readonly boot: number,
  ) {}

  get size(): number {
    return this.node.bytes.length;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.act('read', () => Buffer.from(this.node.bytes.subarray(at, at + length)));
  }

  append(bytes: Uint8Array): Promise<void> {
    const put = (count: number): void => this.disk.write(this.node, { at: this.size, bytes: Buffer.from(bytes.subarray(0, count)) });
    return this.act('write', () => put(bytes.length), () => put(bytes.length >> 1));
  }

  /** In two steps, so that whatever may come between them can come. */
  async appendSynced(bytes: Uint8Array): Promise<void> {
    await this.append(bytes);
    await this.sync();
  }

  overwrite(at: number, bytes: Uint8Array): Promise<void> {
    return this.act('write', () => this.disk.write(this.node, { at, bytes: Buffer.from(bytes) }));
  }

  truncate(size: number): Promise<void> {
    return this.act('truncate', () => this.disk.write(this.node, { size }));
  }

  async sync(): Promise<void> {
    this.disk.beforeChange();
    const { pending } = this.node;
    await this.disk.syncTurn();
    const settle = (): void => {
      this.node.pending = this.node.pending.slice(pending.length);
    };
    if (this.disk.fails('sync', this.path)) settle(); // Told once, and forgotten: from now on the pages count as clean.
    const bring = (): void => {
      if (this.disk.forgetsSyncsOf?.test(this.path) !== true) this.node.durable = applied(this.node.durable, ...pending);
      settle();
    };
    await this.act('sync', bring, settle);
  }

  /** It is closed whatever is said. */
  async close(): Promise<void> {
    this.disk.openFiles -= 1;
    await this.disk.refuseAlone('close', this.path);
  }

  private act<T>(operation: string, effect: () => T, inPart?: () => void): Promise<T> {
    return this.disk.act(this.boot, operation, this.path, effect, inPart);
  }
}

function applied(content: Buffer, ...writes: readonly Write[]): Buffer {
  return writes.reduce(
    (bytes, write) => ('size' in write ? resized(bytes, write.size) : overwritten(bytes, write.at, write.bytes)),
    content,
  );
}

function resized(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes.subarray(0, size), Buffer.alloc(Math.max(0, size - bytes.length))]);
}

function overwritten(content: Buffer, at: number, bytes: Buffer): Buffer {
  const result = Buffer.from(resized(content, Math.max(content.length, at + bytes.length)));
  result.set(bytes, at);
  return result;
}

/** What the power leaves of a file: some of the writes, the last of them perhaps in part, perhaps wrong at one byte. */
function settled(node: Node, random: Random): Node {
  if (node.kind === 'directory') return node;
  const { pending } = node;
  const isOrdered = random.below(2) === 0;
  const count = random.below(pending.length + 1);
  const arrived = pending.filter((_, index) => (isOrdered ? index < count : random.below(2) === 0));
  const last = arrived.at(-1);
  if (last !== undefined && random.below(2) === 0) arrived[arrived.length - 1] = torn(last, node.durable.length, random);
  const bytes = applied(node.durable, ...arrived);
  return { kind: 'file', bytes, durable: bytes, pending: [] };
}

/** What lies beyond the old size may be there before its content is; what was there already is old or new, byte by byte. */
function torn(write: Write, size: number, random: Random): Write {
  if ('size' in write || write.bytes.length === 0) return write;
  const bytes = Buffer.from(write.bytes.subarray(0, random.below(write.bytes.length + 1)));
  const wrong = random.below(2 * bytes.length + 1);
  if (wrong < bytes.length && write.at + wrong >= size) bytes[wrong] = (bytes[wrong] ?? 0) ^ (1 + random.below(255));
  return { at: write.at, bytes };
}

function fileNode(): Node {
  return { kind: 'file', bytes: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] };
}

function directoryNode(): Node {
  return { kind: 'directory', bytes: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] };
}

function refusal(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, Object.assign(new Error(code), { code }));
}
