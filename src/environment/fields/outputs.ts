/** What an environment says about typed outputs of Terraform or OpenTofu that it takes values from. */
import { z } from 'zod';
import { terraformType } from '../outputs/types.ts';
import { filePath } from './formats/addresses.ts';

/** As Terraform's identifiers; what follows `${outputs.`. */
const identifier = z.string().regex(/^[A-Za-z_][\w-]{0,99}$/, 'has to be letters, digits, _ and -');

const typeExpression = z
  .string()
  .min(1)
  .max(2000)
  .superRefine((text, context) => {
    const { problem } = terraformType(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

export const outputsSchema = z
  .record(
    identifier,
    z.strictObject({
      from: filePath.describe(
        'A state file, or what tofu output -json (terraform output -json) writes; relative to the checkout',
      ),
      types: z
        .record(identifier, typeExpression)
        .describe(
          "The outputs that are read, each with its type as in Terraform's variables: string, number, bool, list(string), map(number), object({host = string})",
        ),
    }),
  )
  .default({})
  .describe(
    'Outputs of Terraform or OpenTofu: ${outputs.NAME.OUTPUT} in a text of this file is replaced by their value. Sensitive ones only go into Vault (secrets import)',
  );

export type OutputSources = z.infer<typeof outputsSchema>;
