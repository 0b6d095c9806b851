/** Type constraints as Terraform writes them, as checks of what stands in a file. Pure. */
import { z } from 'zod';

const FORMS =
  'string, number, bool, any, list(TYPE), set(TYPE), map(TYPE), tuple([TYPE, …]) or object({NAME = TYPE, …})';
/** Deepest nesting, a limit for the recursion. */
const DEEPEST = 20;

export type TerraformType = { check: z.ZodType; problem?: never } | { check?: never; problem: string };

class TypeProblem extends Error {}

/**
 * @param text `list(string)`, `object({host = string, port = optional(number)})`
 * @returns a check, or what is wrong with the text. Nothing is converted: "5" is no number
 */
export function terraformType(text: string): TerraformType {
  const tokens = text.match(/[A-Za-z_][\w-]*|[^\s]/g) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const expect = (...wanted: string[]): string => {
    const token = next();
    if (wanted.includes(token)) return token;
    const found = token === '' ? 'it ends' : `"${token}" stands`;
    throw new TypeProblem(
      `is no type of Terraform: ${found} where ${wanted.map((one) => `"${one}"`).join(' or ')} is due`,
    );
  };
  try {
    const check = type(0);
    if (at < tokens.length) throw new TypeProblem(`is no type of Terraform: "${tokens[at] ?? ''}" is too much`);
    return { check };
  } catch (error) {
    if (error instanceof TypeProblem) return { problem: error.message };
    throw error;
  }

  function type(depth: number): z.ZodType {
    if (depth > DEEPEST) throw new TypeProblem('is nested too deeply');
    const name = next();
    if (Object.hasOwn(SIMPLE, name)) return SIMPLE[name as keyof typeof SIMPLE];
    if (!['list', 'set', 'map', 'tuple', 'object'].includes(name))
      throw new TypeProblem(`is no type of Terraform: write ${FORMS}`);
    expect('(');
    const inner =
      name === 'tuple' ? tuple(depth + 1) : name === 'object' ? object(depth + 1) : collection(name, type(depth + 1));
    expect(')');
    return inner;
  }

  function tuple(depth: number): z.ZodType {
    const parts: z.ZodType[] = [];
    expect('[');
    while (tokens[at] !== ']') {
      parts.push(type(depth));
      if (tokens[at] !== ']') expect(',', ']');
    }
    expect(']');
    return z.tuple(parts as [z.ZodType, ...z.ZodType[]]);
  }

  /** Attributes that are not named are dropped, as Terraform does. */
  function object(depth: number): z.ZodType {
    const attributes: Record<string, z.ZodType> = {};
    expect('{');
    while (tokens[at] !== '}') {
      const name = next();
      if (!/^[A-Za-z_]/.test(name))
        throw new TypeProblem('is no type of Terraform: an attribute of an object has no name');
      expect('=', ':');
      attributes[name] = attribute(depth);
      if (tokens[at] !== '}') expect(',', '}');
    }
    expect('}');
    return z.object(attributes);
  }

  function attribute(depth: number): z.ZodType {
    if (tokens[at] !== 'optional') return type(depth);
    next();
    expect('(');
    const inner = type(depth);
    expect(')');
    return inner.nullish().transform((value: unknown) => value ?? undefined);
  }
}

const SIMPLE = {
  string: z.string(),
  number: z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    message: 'has more digits than a number keeps: make it a string',
  }),
  bool: z.boolean(),
  any: z.unknown().refine((value) => value !== null && value !== undefined, { message: 'is null' }),
};

function collection(name: string, element: z.ZodType): z.ZodType {
  return name === 'map' ? z.record(z.string(), element) : z.array(element);
}
