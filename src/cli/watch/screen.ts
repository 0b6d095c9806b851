/** The lines of a frame on a terminal, and its keys: the only file that knows what draws them. */
import { Box, type Key as InkKey, render, Text, useApp, useInput, useWindowSize } from 'ink';
import { createElement, type ReactElement, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Tone } from '../shared/terminal.ts';
import { bodyHeight, frameOf, type FrameLine, textOf } from './frame.ts';
import { type Place, placeOf, START } from './model.ts';
import { type Key, navigate } from './navigate.ts';
import { rowsOf } from './rows.ts';
import type { Store } from './store.ts';

export interface Screen {
  /** Resolves once the terminal is as it was before. */
  ended: Promise<void>;
  end: () => void;
}

export interface ScreenOptions {
  store: Store;
  colours: boolean;
  /** What is looked at now. */
  onPlace: (place: Place) => void;
}

/** Blue and yellow can be told apart by colour-blind people too; marks and words say the same without any colour. */
const COLOURS: Record<Tone, { color?: string; bold?: boolean; dimColor?: boolean }> = {
  good: { color: 'blueBright' },
  bad: { color: 'yellowBright', bold: true },
  busy: { bold: true },
  dim: { dimColor: true },
  bold: { bold: true },
};
const TICK_MS = 1000;

export function openScreen(options: ScreenOptions): Screen {
  const { unmount, waitUntilExit } = render(createElement(App, options), {
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: true,
    interactive: true,
    patchConsole: true,
  });
  return { ended: waitUntilExit().then(() => undefined), end: unmount };
}

function App({ store, colours, onPlace }: ScreenOptions): ReactElement {
  const { exit } = useApp();
  const size = useWindowSize();
  const data = useSyncExternalStore(store.subscribe, store.get);
  const [state, setState] = useState(START);
  // Several keys may come before the next frame.
  const current = useRef(state);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const place = placeOf(state);
  useEffect(() => {
    onPlace(place);
  }, [place, onPlace]);
  useInput((input, pressed) => {
    for (const key of keysOf(input, pressed)) {
      const next = navigate(current.current, key, {
        rows: rowsOf(current.current, store.get(), Date.now()),
        lines: textOf(current.current, store.get()).length,
        height: bodyHeight(size),
        operations: store.get().operations ?? [],
      });
      if (next === undefined) {
        exit();
        return;
      }
      current.current = next;
    }
    setState(current.current);
  });
  const lines = frameOf(state, data, { ...size, now });
  return createElement(
    Box,
    { flexDirection: 'column' },
    lines.map((line, index) => createElement(Line, { key: index, line, colours })),
  );
}

function Line({ line: { text, tone, chosen }, colours }: { line: FrameLine; colours: boolean }): ReactElement {
  const look = colours ? { ...(tone === undefined ? {} : COLOURS[tone]), inverse: chosen === true } : {};
  return createElement(Text, { wrap: 'truncate', ...look }, text === '' ? ' ' : text);
}

function keysOf(input: string, key: InkKey): Key[] {
  const presses: [boolean, Exclude<Key, { type: string }>['press']][] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.pageUp, 'pageUp'],
    [key.pageDown, 'pageDown'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'enter'],
    [key.escape, 'back'],
    [key.rightArrow || (key.tab && !key.shift), 'next'],
    [key.leftArrow || (key.tab && key.shift), 'previous'],
    [key.backspace || key.delete, 'erase'],
  ];
  const found = presses.find(([is]) => is);
  if (found) return [{ press: found[1] }];
  // What was typed quickly, or pasted, comes at once.
  return key.ctrl || key.meta
    ? []
    : Array.from(input)
        .filter((char) => !/\p{Cc}/u.test(char))
        .map((type) => ({ type }));
}
