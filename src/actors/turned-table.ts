/** Why shapes of a partitioned table end whose rows came or went as no change tells. In the operator's words. */
export const TURNED = 'a partition of the table was attached, detached or dropped, and its rows with it';
