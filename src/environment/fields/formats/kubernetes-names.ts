/** Names as the API server checks them (k8s.io/apimachinery/pkg/util/validation), each with words for what is wrong. */
import { z } from 'zod';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_LENGTH = 63;
const SUBDOMAIN_LENGTH = 253;

/** DNS-1123 label: namespaces. */
export function isLabel(text: string): boolean {
  return text.length <= LABEL_LENGTH && LABEL.test(text);
}

/** DNS-1123 subdomain, as object names are. Unlike host names their parts may be longer than 63 characters. */
export function isSubdomain(text: string): boolean {
  return text.length <= SUBDOMAIN_LENGTH && text.split('.').every((part) => LABEL.test(part));
}

/** `name` or `prefix/name`: keys of labels and annotations, names of extended resources. */
export function isQualifiedName(text: string): boolean {
  const parts = text.split('/');
  const name = parts.pop() ?? '';
  return parts.length <= 1 && parts.every(isSubdomain) && name.length <= LABEL_LENGTH && QUALIFIED_PART.test(name);
}

/** @param what in the message: `a namespace` */
export const labelName = (what: string): z.ZodString =>
  z
    .string()
    .refine(
      isLabel,
      `has to be the name of ${what}: small letters, digits and dashes, at most ${LABEL_LENGTH}, first and last a letter or a digit`,
    );

/** @param what in the message: `a Secret` */
export const objectName = (what: string): z.ZodString =>
  z
    .string()
    .refine(
      isSubdomain,
      `has to be the name of ${what}: small letters, digits, dashes and dots, at most ${SUBDOMAIN_LENGTH}, first and last a letter or a digit`,
    );

/** Roles and their bindings may be named as `system:admin` is: they only have to fit into a path. */
export const pathSegmentName = (what: string): z.ZodString =>
  z
    .string()
    .refine(
      (text) => text !== '' && text !== '.' && text !== '..' && !/[/%\s\p{Cc}]/u.test(text),
      `has to be the name of ${what}, without "/", "%" and blanks`,
    );

/** All keys and values of one object together. */
const ANNOTATIONS_LENGTH = 256 * 1024;

/** As the API server takes them: keys are qualified names, values are texts. */
export const annotations = z.record(z.string(), z.string()).superRefine((found, context) => {
  for (const key of Object.keys(found)) {
    // The API server compares the key in small letters.
    if (!isQualifiedName(key.toLowerCase())) {
      context.addIssue({
        code: 'custom',
        path: [key],
        message:
          'is no key of an annotation: it has to be NAME or DOMAIN/NAME, as in nginx.ingress.kubernetes.io/proxy-body-size',
      });
    }
  }
  const length = Object.entries(found).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (length > ANNOTATIONS_LENGTH)
    context.addIssue({
      code: 'custom',
      message: `may have ${ANNOTATIONS_LENGTH / 1024} KiB together, and have ${Math.ceil(length / 1024)}`,
    });
});
