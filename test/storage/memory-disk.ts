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

export class MemoryDisk implements Disk {
  private names = new Map<string, Node>([['/', directoryNode()]]);
  /** Names that a crash leaves. */
  private durableNames = new Map<string, Node>(this.names);
  private held: (() => void)[] | undefined;
  private failing: { operation: string; code: string } | undefined;
  /** Grows with each crash: files opened before it are dead. */
  private boot = 0;
  syncCount = 0;

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

  async makeDirectory(path: string): Promise<void> {
    await this.step('create', path);
    for (let at = path; !this.names.has(at); at = dirname(at)) this.setDurably(at, directoryNode());
  }

  async syncDirectory(path: string): Promise<void> {
    await this.step('sync', path);
    this.nodeOf('sync', path);
    for (const name of [...this.durableNames.keys()]) if (dirname(name) === path && !this.names.has(name)) this.durableNames.delete(name);
    for (const [name, node] of this.names) if (dirname(name) === path) this.durableNames.set(name, node);
  }

  async list(path: string): Promise<readonly string[]> {
    await this.step('list', path);
    return [...this.names.keys()].filter((name) => name !== path && dirname(name) === path).map((name) => name.slice(path.length + 1));
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    await this.step('open', path);
    const existing = this.names.get(path);
    if (mode === 'create' && existing !== undefined) throw refusal('open', path, 'EEXIST');
    if (existing === undefined && (mode === 'read' || !this.names.has(dirname(path)))) throw refusal('open', path, 'ENOENT');
    const node = existing ?? { kind: 'file', bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
    this.names.set(path, node);
    return new MemoryFile(this, path, node, this.boot);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.step('rename', from);
    this.nodeOf('rename', from);
    for (const [name, node] of [...this.names]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.names.delete(name);
      this.names.set(to + name.slice(from.length), node);
      if (name !== from && this.durableNames.get(name) === node) this.durableNames.set(to + name.slice(from.length), node);
    }
  }

  async removeFile(path: string): Promise<void> {
    await this.step('remove', path);
    this.nodeOf('remove', path);
    this.names.delete(path);
  }

  async removeTree(path: string): Promise<void> {
    await this.step('remove', path);
    for (const name of [...this.names.keys()]) if (name === path || name.startsWith(`${path}/`)) this.names.delete(name);
  }

  /** Every operation takes a turn of the event loop's microtasks, and may be told to fail. */
  async step(operation: string, path: string): Promise<void> {
    await Promise.resolve();
    if (this.failing?.operation === operation) throw refusal(operation, path, this.failing.code);
  }

  async syncTurn(): Promise<void> {
    this.syncCount += 1;
    const held = this.held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
  }

  isDead(boot: number): boolean {
    return boot !== this.boot;
  }

  private setDurably(path: string, node: Node): void {
    this.names.set(path, node);
    this.durableNames.set(path, node);
  }

  private nodeOf(operation: string, path: string): Node {
    const node = this.names.get(path);
    if (node === undefined) throw refusal(operation, path, 'ENOENT');
    return node;
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

  async read(at: number, length: number): Promise<Uint8Array> {
    await this.step('read');
    return Buffer.from(this.node.bytes.subarray(at, at + length));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.step('write');
    this.node.bytes = Buffer.concat([this.node.bytes, bytes]);
  }

  async overwrite(at: number, bytes: Uint8Array): Promise<void> {
    await this.step('write');
    this.node.bytes = Buffer.from(this.node.bytes);
    this.node.bytes.set(bytes, at);
  }

  async truncate(size: number): Promise<void> {
    await this.step('truncate');
    this.node.bytes = Buffer.concat([this.node.bytes.subarray(0, size), Buffer.alloc(Math.max(0, size - this.size))]);
  }

  async sync(): Promise<void> {
    const { bytes } = this.node;
    await this.disk.syncTurn();
    await this.step('sync');
    this.node.durable = bytes;
  }

  async close(): Promise<void> {}

  /** What a process does after its machine lost power has no effect. */
  private async step(operation: string): Promise<void> {
    await this.disk.step(operation, this.path);
    if (this.disk.isDead(this.boot)) throw refusal(operation, this.path, 'EIO');
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

function directoryNode(): Node {
  return { kind: 'directory', bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
}

function refusal(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, Object.assign(new Error(code), { code }));
}
