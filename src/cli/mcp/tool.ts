/** What all tools have in common: the environment that they are about, and the form of their answers. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { nameProblem } from '../../environment/name.ts';
import type { CliContext } from '../shared/context.ts';
import { explain } from '../shared/explain.ts';
import { plainStyle } from '../shared/terminal.ts';
import { type Captured, captured, isAnswer } from './captured.ts';

export interface Served {
  /** Environments; absent: all. */
  only?: readonly string[] | undefined;
  allowChanges: boolean;
  /** Of this session alone, for plans. */
  folder: string;
}

/** Only what is served; a text that begins like an option is no name. */
export function environmentSchema(only: readonly string[] | undefined) {
  return z
    .string()
    .refine((name) => nameProblem(name) === undefined, 'has to be the name of an environment, such as staging')
    .refine((name) => only === undefined || only.includes(name), `is not served here: ${(only ?? []).join(', ')} only`)
    .describe('Name of the environment');
}

export const serviceSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'has to be the name of a service, such as web')
  .describe('A service of the catalog');

export const versionSchema = z.number().int().min(1).max(999_999_999).describe('Number of a platform version');

/** What the command says with --json, or why there is no answer. */
export function answerOf(ended: Captured): CallToolResult {
  if (!isAnswer(ended)) return failed([ended.stderr, ended.stdout].filter((text) => text !== '').join('\n'));
  return text(ended.stdout.trim());
}

export function text(content: string): CallToolResult {
  return { content: [{ type: 'text', text: content }] };
}

function failed(content: string): CallToolResult {
  return { content: [{ type: 'text', text: content.trim() }], isError: true };
}

/** Runs a command of this program. */
export async function command(context: CliContext, ...args: string[]): Promise<CallToolResult> {
  return answerOf(await captured(context, args));
}

/** The same words as on a terminal for what is wrong. */
export async function answering(name: string, work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    return failed(explain(error, { command: name }).lines(plainStyle).join('\n'));
  }
}
