/** What stores of the S3 API answer, as far as it is needed here: flat lists in XML, names percent-encoded. Pure. */

export interface ListedObject {
  key: string;
  bytes: number;
  /** Milliseconds of the epoch. */
  modified: number;
}

export interface UnfinishedUpload {
  key: string;
  id: string;
  /** Milliseconds of the epoch. */
  began: number;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** What stands in the first element of that name; undefined where there is none. */
export function textOf(xml: string, element: string): string | undefined {
  return contentsOf(xml, element)[0]?.replaceAll(/&(#x?[0-9a-f]+|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(name.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name.slice(1)));
  });
}

/** Elements of that name, none inside another of its name, each as it stands. */
function contentsOf(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}(?:\\s[^>]*)?>([\\s\\S]*?)</${element}>`, 'g'))].map(
    ([, content = '']) => content,
  );
}

/** Of ListObjectsV2 with `encoding-type=url`. @returns the token of the next page, where there is one */
export function listedObjects(xml: string): { objects: ListedObject[]; next: string | undefined } {
  return {
    objects: contentsOf(xml, 'Contents').map((one) => ({
      key: decoded(textOf(one, 'Key')),
      bytes: Number(textOf(one, 'Size') ?? 0),
      modified: Date.parse(textOf(one, 'LastModified') ?? ''),
    })),
    next: textOf(xml, 'IsTruncated') === 'true' ? textOf(xml, 'NextContinuationToken') : undefined,
  };
}

/** Of ListMultipartUploads with `encoding-type=url`: its first page, of a thousand. */
export function unfinishedUploads(xml: string): UnfinishedUpload[] {
  return contentsOf(xml, 'Upload').map((one) => ({
    key: decoded(textOf(one, 'Key')),
    id: textOf(one, 'UploadId') ?? '',
    began: Date.parse(textOf(one, 'Initiated') ?? ''),
  }));
}

/** @param etags of the parts, in their order */
export function completion(etags: readonly string[]): string {
  const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  return `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
}

function decoded(text = ''): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
