/** The types of Postgres that a filter can calculate with, by the names of `pg_type`, and by their oids, which never change. */

const OIDS = {
  bool: [16, 1000], int2: [21, 1005], int4: [23, 1007], int8: [20, 1016], numeric: [1700, 1231], float4: [700, 1021], float8: [701, 1022],
  text: [25, 1009], varchar: [1043, 1015], bpchar: [1042, 1014], name: [19, 1003], uuid: [2950, 2951],
  date: [1082, 1182], time: [1083, 1183], timestamp: [1114, 1115], timestamptz: [1184, 1185], interval: [1186, 1187],
  bytea: [17, 1001], jsonb: [3802, 3807],
} as const;

export type ScalarName = keyof typeof OIDS;
export type ArrayName = `${ScalarName}[]`;
export type TypeName = ScalarName | ArrayName;

const SCALARS: ReadonlySet<string> = new Set(Object.keys(OIDS));

const NAMES_BY_OID: ReadonlyMap<number, TypeName> = new Map(
  Object.entries(OIDS).flatMap(([name, [scalar, array]]): [number, TypeName][] => {
    return isScalar(name) ? [[scalar, name], [array, arrayOf(name)]] : [];
  }),
);

/** Undefined for a type that filters cannot calculate with. */
export function typeNameOf(oid: number): TypeName | undefined {
  return NAMES_BY_OID.get(oid);
}

export function isTypeName(name: string): name is TypeName {
  return SCALARS.has(name.endsWith('[]') ? name.slice(0, -2) : name);
}

export function isScalar(name: string): name is ScalarName {
  return SCALARS.has(name);
}

export function arrayOf(item: ScalarName): ArrayName {
  return `${item}[]`;
}

/** Of an array's items; undefined for what is no array. */
export function itemOf(type: TypeName): ScalarName | undefined {
  const name = type.slice(0, -2);
  return type.endsWith('[]') && isScalar(name) ? name : undefined;
}
