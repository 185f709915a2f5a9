/**
 * Chart text: the words of a chart as lines that fit, and the room that they take.
 *
 * Where a chart is laid out nothing can measure text, and the reader's machine chooses the font. So all of it is
 * written in fixed pitch, whose width is the same everywhere but for a little, and that little is added.
 */
import type { GraphState, Reaction, StateKind } from './machine-graph.ts';

export type TextStyle = 'name' | 'event' | 'guard' | 'action';

export interface TextLine {
  readonly text: string;
  readonly style: TextStyle;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels. */
export const FONT_SIZES: Readonly<Record<TextStyle, number>> = { name: 13, event: 11, guard: 9.5, action: 9.5 };
export const LINE_HEIGHTS: Readonly<Record<TextStyle, number>> = { name: 20, event: 15, guard: 13, action: 13 };

/** Of the size of a font: fixed pitch takes 0.6 nearly everywhere. */
const PITCH = 0.61;
const COLUMNS_MAX = 30;
const IGNORED_COLUMNS_MAX = 44;
const REMARKS: Readonly<Partial<Record<StateKind, string>>> = { parallel: ' (all at once)', cut: ' ⤵' };

/** @returns the lines of a state's box: its name, what it does when it is entered and left, and what happens in it. */
export function linesOfState({ name, kind, entry, exit, inPlace, again, told }: GraphState): readonly TextLine[] {
  const ignored = inPlace.filter(isIgnored).map(({ event }) => event);
  return [
    { text: `${name}${REMARKS[kind] ?? ''}`, style: 'name' },
    ...doing('entry', entry),
    ...doing('exit', exit),
    ...linesOfReactions(inPlace.filter((reaction) => !isIgnored(reaction))),
    ...linesOfReactions(again.map((reaction) => ({ ...reaction, event: `↻ ${reaction.event}` }))),
    ...told.flatMap(({ to, reactions }) => linesOfReactions(reactions.map((reaction) => toldAs(reaction, to)))),
    ...(ignored.length === 0 ? [] : wrapped(`ignores ${ignored.join(', ')}`, 'action', '', IGNORED_COLUMNS_MAX)),
  ];
}

/** @returns an event once, however many guards decide what it does. */
export function linesOfReactions(reactions: readonly Reaction[]): readonly TextLine[] {
  return reactions.flatMap(({ event, guard, actions }, index) => [
    ...(reactions[index - 1]?.event === event ? [] : wrapped(event, 'event', '')),
    ...(guard === null ? [] : wrapped(`[${guard}]`, 'guard', ' ')),
    ...(actions.length === 0 ? [] : wrapped(`/ ${tally(actions).join(', ')}`, 'action', ' ')),
  ]);
}

export function sizeOf(lines: readonly TextLine[]): Size {
  return {
    width: Math.ceil(Math.max(0, ...lines.map(({ text, style }) => text.length * FONT_SIZES[style] * PITCH))),
    height: lines.reduce((height, { style }) => height + LINE_HEIGHTS[style], 0),
  };
}

function toldAs(reaction: Reaction, to: string): Reaction {
  return { ...reaction, event: `${reaction.event} → ${to.slice(to.lastIndexOf('.') + 1)}` };
}

function isIgnored({ guard, actions }: Reaction): boolean {
  return guard === null && actions.length === 0;
}

function doing(when: string, actions: readonly string[]): readonly TextLine[] {
  return actions.length === 0 ? [] : wrapped(`${when} / ${tally(actions).join(', ')}`, 'action', '  ');
}

/** The same action several times is named once. */
function tally(actions: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const action of actions) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, count]) => (count === 1 ? action : `${action} ×${count}`));
}

/** Breaks between words, and inside a word where a new one begins in it. */
function wrapped(text: string, style: TextStyle, indent: string, columnsMax = COLUMNS_MAX): readonly TextLine[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=[ .])|(?=[A-Z])/).filter((part) => part !== '')) {
    if (line !== '' && (line + word).trimEnd().length > columnsMax) {
      lines.push(line.trimEnd());
      line = `${indent}  `;
    }
    line += word;
  }
  return [...lines, line.trimEnd()].map((part, index) => ({ text: index === 0 ? indent + part : part, style }));
}
