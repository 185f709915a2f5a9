/**
 * TextPages: texts as bytes, each under a number of its owner's. A character is one byte in a text that has Latin-1 alone, and two
 * otherwise.
 *
 * A page of which most is gone is given back: what is left of it moves, and the owner is told where. So what is kept is never much more
 * than twice what there is, and no deletion costs more than one page.
 */
import { invariant } from '../invariant.ts';

/** Where a text lies: below 2³². */
export type Place = number;

interface Page {
  readonly bytes: Buffer;
  used: number;
  /** Bytes of texts that were deleted. */
  gone: number;
}

const OFFSET_BITS = 18;
const PAGE_BYTES_MAX = 1 << OFFSET_BITS;
const PAGES_MAX = 2 ** (32 - OFFSET_BITS);
const PAGE_BYTES_MIN = 64;
/**
 * Before a text lie the number of its owner's and its size: the length in bytes, doubled, with a bit for wide characters. A size is one
 * byte, or this one and four.
 */
const LONG = 0xff;
const [OWNER_BYTES, SHORT_HEAD_BYTES, LONG_HEAD_BYTES] = [4, 5, 9];
const NOBODY = 0xffff_ffff;

export class TextPages {
  private readonly pages: (Page | undefined)[] = [];
  /** Numbers of pages that were given back. */
  private readonly free: number[] = [];
  /** The page that is being filled. */
  private open = -1;
  private held = 0;

  /** @param moved told of each text that lies elsewhere from now on. */
  constructor(private readonly moved: (owner: number, place: Place) => void) {}

  /** Those of all pages. */
  get bytes(): number {
    return this.held;
  }

  /** @param owner below 2³² − 1. */
  add(owner: number, text: string): Place {
    const isWide = !isLatin(text);
    const length = isWide ? 2 * text.length : text.length;
    const size = 2 * length + Number(isWide);
    const head = size < LONG ? SHORT_HEAD_BYTES : LONG_HEAD_BYTES;
    const before = this.open;
    const [number, page] = this.pageFor(head + length);
    const { bytes, used } = page;
    bytes.writeUInt32LE(owner, used);
    bytes[used + OWNER_BYTES] = Math.min(size, LONG);
    if (head === LONG_HEAD_BYTES) bytes.writeUInt32LE(size, used + SHORT_HEAD_BYTES);
    bytes.write(text, used + head, isWide ? 'utf16le' : 'latin1');
    page.used += head + length;
    this.giveBackIfDue(before);
    return number * PAGE_BYTES_MAX + used;
  }

  textAt(place: Place): string {
    const { bytes, start, length, isWide } = this.at(place);
    return bytes.toString(isWide ? 'utf16le' : 'latin1', start, start + length);
  }

  isAt(place: Place, text: string): boolean {
    const { bytes, start, length, isWide } = this.at(place);
    if (length !== (isWide ? 2 : 1) * text.length) return false;
    for (let index = 0; index < text.length; index += 1) {
      const code = isWide ? bytes.readUInt16LE(start + 2 * index) : bytes[start + index];
      if (code !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  delete(place: Place): void {
    const number = numberOf(place);
    const { page, bytes, start, length } = this.at(place);
    const offset = offsetOf(place);
    bytes.writeUInt32LE(NOBODY, offset);
    page.gone += start + length - offset;
    this.giveBackIfDue(number);
  }

  /** @param moved as of the constructor, of the copy's owner. */
  copy(moved: (owner: number, place: Place) => void): TextPages {
    const copy = new TextPages(moved);
    for (const page of this.pages) copy.pages.push(page && { ...page, bytes: Buffer.from(page.bytes) });
    copy.free.push(...this.free);
    copy.open = this.open;
    copy.held = this.held;
    return copy;
  }

  private at(place: Place) {
    const page = this.pages[numberOf(place)];
    invariant(page !== undefined, 'a text that is asked for is there');
    const { bytes } = page;
    const offset = offsetOf(place);
    const short = bytes[offset + OWNER_BYTES] ?? LONG;
    const isLong = short === LONG;
    const size = isLong ? bytes.readUInt32LE(offset + SHORT_HEAD_BYTES) : short;
    const start = offset + (isLong ? LONG_HEAD_BYTES : SHORT_HEAD_BYTES);
    return { page, bytes, start, length: size >>> 1, isWide: size % 2 === 1 };
  }

  private pageFor(bytes: number): readonly [number: number, page: Page] {
    const open = this.pages[this.open];
    if (open !== undefined && open.used + bytes <= open.bytes.length) return [this.open, open];
    const size = Math.max(bytes, Math.min(PAGE_BYTES_MAX, Math.max(PAGE_BYTES_MIN, 2 * (open?.bytes.length ?? 0))));
    const number = this.free.pop() ?? this.pages.length;
    invariant(number < PAGES_MAX, 'whoever keeps texts looks at how many bytes they are');
    const page = { bytes: Buffer.allocUnsafeSlow(size), used: 0, gone: 0 };
    this.pages[number] = page;
    this.held += size;
    this.open = number;
    return [number, page];
  }

  /** The open one waits for its turn until it is closed: what is left of it would have to move into itself. */
  private giveBackIfDue(number: number): void {
    const page = this.pages[number];
    if (page !== undefined && number !== this.open && 2 * page.gone > page.used) this.giveBack(number, page);
  }

  private giveBack(number: number, { bytes, used }: Page): void {
    for (let offset = 0; offset < used; ) {
      const place = number * PAGE_BYTES_MAX + offset;
      const owner = bytes.readUInt32LE(offset);
      if (owner !== NOBODY) this.moved(owner, this.add(owner, this.textAt(place)));
      const { start, length } = this.at(place);
      offset = start + length;
    }
    this.pages[number] = undefined;
    this.free.push(number);
    this.held -= bytes.length;
  }
}

function numberOf(place: Place): number {
  return Math.floor(place / PAGE_BYTES_MAX);
}

function offsetOf(place: Place): number {
  return place % PAGE_BYTES_MAX;
}

function isLatin(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}
