/** How a session writes values when it is to write them as the stream does. */
import type { CustomTypesConfig } from 'pg';

export const DISPLAY_SETTINGS =
  "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, DMY'; SET extra_float_digits = 1; SET IntervalStyle = 'iso_8601'";

/** Every value as Postgres wrote it. */
export const asText: CustomTypesConfig = { getTypeParser: () => (text: unknown) => text };
