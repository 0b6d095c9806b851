/** A tag, or a digest, which no registry can change under its name. */
export const IMAGE_VERSION = /^(\w[\w.-]{0,127}|sha256:[0-9a-f]{64})$/;
