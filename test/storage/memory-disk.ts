/**
 * A disk in memory that keeps its promises and no more: what was not synced may be lost, or be there in part, after
 * `crash`. A test can hold back syncs, or make an operation fail.
 */
import { dirname } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import type { Disk, DiskFile, OpenMode } from '../../src/storage/disk.ts';
import { DiskError } from '../../src/storage/errors.ts';

interface Node {
  kind: 'file' | 'directory';
  bytes: Buffer;
  /** The content that a crash leaves. */
  durable: Buffer;
}

export class MemoryDisk {
  names = new Map<string, Node>([['/', directoryNode()]]);
  /** Names that a crash leaves. */
  durableNames = new Map<string, Node>(this.names);
  private held: (() => void)[] | undefined;
  private failing: { operation: string; code: string } | undefined;
  /** Grows with each crash: files opened before it are dead. */
  private boot = 0;
  syncCount = 0;

  /** As one process sees it: what it does after a crash has no effect. */
  mount(): Disk {
    return new Mount(this, this.boot);
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

  fail(operation: string, code: string): void {
    this.failing = { operation, code };
  }

  heal(): void {
    this.failing = undefined;
  }

  /** Power cut: keeps what is durable and, of the rest, what `random` says; the last bytes that arrived may be wrong. */
  crash(random: Random): void {
    this.boot += 1;
    this.letSync();
    const survivors = new Map<string, Node>();
    for (const [name, node] of [...this.names].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const isDurable = this.durableNames.get(name) === node;
      if (survivors.has(dirname(name)) || name === '/') {
        if (isDurable || random.below(2) === 0) survivors.set(name, settled(node, random));
      }
    }
    this.names = survivors;
    this.durableNames = new Map(survivors);
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
  }

  /** Every operation takes a turn, may be told to fail, and does nothing for a process whose machine lost power. */
  async act<T>(boot: number, operation: string, path: string, effect: () => T): Promise<T> {
    await Promise.resolve();
    if (boot !== this.boot) throw refusal(operation, path, 'EIO');
    if (this.failing?.operation === operation) throw refusal(operation, path, this.failing.code);
    return effect();
  }

  async syncTurn(): Promise<void> {
    this.syncCount += 1;
    const held = this.held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
  }

  settleNames(directory: string): void {
    this.nodeOf('sync', directory);
    for (const name of [...this.durableNames.keys()]) {
      if (dirname(name) === directory && !this.names.has(name)) this.durableNames.delete(name);
    }
    for (const name of this.namesIn(directory)) this.durableNames.set(name, this.nodeOf('sync', name));
  }

  namesIn(directory: string): string[] {
    return [...this.names.keys()].filter((name) => name !== directory && dirname(name) === directory);
  }

  /** A name and all below it. */
  under(path: string): string[] {
    return [...this.names.keys()].filter((name) => name === path || name.startsWith(`${path}/`));
  }

  /** What lies in a directory moves with it; its own new name has to be synced. */
  move(from: string, to: string): void {
    this.nodeOf('rename', from);
    for (const name of this.under(from)) {
      const node = this.nodeOf('rename', name);
      const moved = to + name.slice(from.length);
      this.names.delete(name);
      this.names.set(moved, node);
      if (name !== from && this.durableNames.get(name) === node) this.durableNames.set(moved, node);
    }
  }

  setDurably(path: string, node: Node): void {
    this.names.set(path, node);
    this.durableNames.set(path, node);
  }

  nodeOf(operation: string, path: string): Node {
    const node = this.names.get(path);
    if (node === undefined) throw refusal(operation, path, 'ENOENT');
    return node;
  }
}

class Mount implements Disk {
  constructor(
    private readonly disk: MemoryDisk,
    private readonly boot: number,
  ) {}

  makeDirectory(path: string): Promise<void> {
    return this.act('create', path, () => {
      for (let at = path; !this.disk.names.has(at); at = dirname(at)) this.disk.setDurably(at, directoryNode());
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.act('sync', path, () => this.disk.settleNames(path));
  }

  list(path: string): Promise<readonly string[]> {
    return this.act('list', path, () => this.disk.namesIn(path).map((name) => name.slice(path.length + 1)));
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.act('open', path, () => {
      const existing = this.disk.names.get(path);
      if (mode === 'create' && existing !== undefined) throw refusal('open', path, 'EEXIST');
      const isMissing = existing === undefined && (mode === 'read' || !this.disk.names.has(dirname(path)));
      if (isMissing) throw refusal('open', path, 'ENOENT');
      const node = existing ?? fileNode();
      this.disk.names.set(path, node);
      return new MemoryFile(this.disk, path, node, this.boot);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.act('rename', from, () => this.disk.move(from, to));
  }

  removeFile(path: string): Promise<void> {
    return this.act('remove', path, () => {
      this.disk.nodeOf('remove', path);
      this.disk.names.delete(path);
    });
  }

  removeTree(path: string): Promise<void> {
    return this.act('remove', path, () => {
      for (const name of this.disk.under(path)) this.disk.names.delete(name);
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
    return this.act('write', () => {
      this.node.bytes = Buffer.concat([this.node.bytes, bytes]);
    });
  }

  overwrite(at: number, bytes: Uint8Array): Promise<void> {
    return this.act('write', () => {
      this.node.bytes = Buffer.from(this.node.bytes);
      this.node.bytes.set(bytes, at);
    });
  }

  truncate(size: number): Promise<void> {
    return this.act('truncate', () => {
      this.node.bytes = Buffer.concat([this.node.bytes.subarray(0, size), Buffer.alloc(Math.max(0, size - this.size))]);
    });
  }

  async sync(): Promise<void> {
    const { bytes } = this.node;
    await this.disk.syncTurn();
    await this.act('sync', () => {
      this.node.durable = bytes;
    });
  }

  async close(): Promise<void> {}

  private act<T>(operation: string, effect: () => T): Promise<T> {
    return this.disk.act(this.boot, operation, this.path, effect);
  }
}

function settled(node: Node, random: Random): Node {
  const { kind, bytes, durable } = node;
  if (kind === 'directory') return node;
  const kept = Buffer.from(tornTo(bytes, durable, random));
  return { kind, bytes: kept, durable: kept };
}

/** The durable content, or any step on the way to the written one. */
function tornTo(bytes: Buffer, durable: Buffer, random: Random): Buffer {
  if (bytes.length <= durable.length || !bytes.subarray(0, durable.length).equals(durable)) {
    return random.below(2) === 0 ? durable : bytes;
  }
  const arrived = durable.length + random.below(bytes.length - durable.length + 1);
  const kept = Buffer.from(bytes.subarray(0, arrived));
  if (arrived > durable.length && random.below(2) === 0) {
    const wrong = durable.length + random.below(arrived - durable.length);
    kept[wrong] = (kept[wrong] ?? 0) ^ (1 + random.below(255));
  }
  return kept;
}

function fileNode(): Node {
  return { kind: 'file', bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
}

function directoryNode(): Node {
  return { kind: 'directory', bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
}

function refusal(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, Object.assign(new Error(code), { code }));
}
