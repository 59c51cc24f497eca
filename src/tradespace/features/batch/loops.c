/* Loops of the batch engine that NumPy would need several passes and copies for.
 *
 * Plain C, without Python: `_compiled.py` calls these functions with pointers to arrays that it
 * has checked. Every function has a twin in NumPy that gives the same bits, and that is used
 * where this file could not be compiled.
 */
#include <stdint.h>

#define VERSION 2

int64_t loops_version(void) { return VERSION; }

/* Deal rows out to their codes, in the order they have: a counting sort.
 * `starts`, of n_codes + 1 zeros, becomes the place of each code's first row. */
void deal(const int32_t *codes, int64_t n, int64_t n_codes, int64_t *starts, int64_t *order)
{
    for (int64_t i = 0; i < n; i++)
        starts[codes[i] + 1]++;
    for (int64_t code = 0; code < n_codes; code++)
        starts[code + 1] += starts[code];
    for (int64_t i = 0; i < n; i++)
        order[starts[codes[i]]++] = i;
    /* Each start has moved to the next one's place: move them back. */
    for (int64_t code = n_codes; code > 0; code--)
        starts[code] = starts[code - 1];
    starts[0] = 0;
}

/* Questions that are followed side by side. */
enum { LANES = 4 };

static int64_t bisect(const int64_t *keys, int64_t n, int64_t until)
{
    int64_t low = 0;
    while (low < n) {
        int64_t middle = low + (n - low) / 2;
        if (keys[middle] <= until)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

/* Count the keys that are at most asked[i] - back; neither keys nor asked decrease.
 *
 * A merge that either passes a key or answers a question. Which of the two is a coin toss that
 * a processor guesses wrong half the time, so both are done by adding zero or one; and since
 * each step waits for the one before, several stretches of questions are followed at once. */
void count_until(const int64_t *keys, int64_t n, const int64_t *asked, int64_t n_asked,
                 int64_t back, int64_t *found)
{
    int64_t at[LANES], i[LANES], end[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        i[lane] = n_asked * lane / LANES;
        end[lane] = n_asked * (lane + 1) / LANES;
        at[lane] = i[lane] < end[lane] ? bisect(keys, n, asked[i[lane]] - back) : n;
    }
    for (;;) {
        int going = 1;
        for (int lane = 0; lane < LANES; lane++)
            going &= (i[lane] < end[lane]) & (at[lane] < n);
        if (!going)
            break;
        for (int lane = 0; lane < LANES; lane++) {
            int64_t passes = keys[at[lane]] <= asked[i[lane]] - back;
            found[i[lane]] = at[lane];
            at[lane] += passes;
            i[lane] += 1 - passes;
        }
    }
    for (int lane = 0; lane < LANES; lane++)
        for (; i[lane] < end[lane]; i[lane]++) {
            while (at[lane] < n && keys[at[lane]] <= asked[i[lane]] - back)
                at[lane]++;
            found[i[lane]] = at[lane];
        }
}

/* Find for each question the last row of its code until then, or -1; rows and questions are in
 * the order of time. `last`, of one -1 for each code, is overwritten. Return the first row that
 * is earlier than the one before it, or -1. */
int64_t latest(const int64_t *times, const int32_t *codes, int64_t n, const int64_t *asked,
               const int32_t *asked_codes, int64_t n_asked, int64_t *last, int64_t *found)
{
    int64_t row = 0, before = n ? times[0] : 0;
    for (int64_t i = 0; i < n_asked; i++) {
        for (; row < n && times[row] <= asked[i]; row++) {
            if (times[row] < before)
                return row;
            before = times[row];
            last[codes[row]] = row;
        }
        found[i] = last[asked_codes[i]];
    }
    for (; row < n; row++) {
        if (times[row] < before)
            return row;
        before = times[row];
    }
    return -1;
}

/* Both of these read a column of 32-bit or 64-bit numbers, at the rows that `order` names.
 *
 * number_*: the times of a run of codes, and key[k] = code * span + time, with codes from 0;
 * `starts` are the n_codes + 1 places of the codes, of which the first has order[0].
 * running_*: the sums of all numbers before each place, and of all. */
#define FOR_NUMBERS(BITS)                                                                       \
    void number_##BITS(const int##BITS##_t *time, const int64_t *order, const int64_t *starts,  \
                       int64_t n_codes, int64_t span, int64_t *times, int64_t *key)             \
    {                                                                                           \
        for (int64_t code = 0; code < n_codes; code++)                                          \
            for (int64_t k = starts[code] - starts[0]; k < starts[code + 1] - starts[0]; k++) { \
                times[k] = time[order[k]];                                                      \
                key[k] = code * span + times[k];                                                \
            }                                                                                   \
    }                                                                                           \
    void running_##BITS(const int##BITS##_t *numbers, const int64_t *order, int64_t n,          \
                        int64_t *totals)                                                        \
    {                                                                                           \
        totals[0] = 0;                                                                          \
        for (int64_t k = 0; k < n; k++)                                                         \
            totals[k + 1] = totals[k] + numbers[order[k]];                                      \
    }
FOR_NUMBERS(32)
FOR_NUMBERS(64)

/* Put the length of range i at out[places[i]], or `empty` for none. */
void put_counts(const int64_t *low, const int64_t *high, const int64_t *places, int64_t n,
                double empty, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t count = high[i] - low[i];
        out[places[i]] = count ? (double)count : empty;
    }
}

/* Put the sum of range i, from running totals, over `divisor`. */
void put_sums(const int64_t *totals, const int64_t *low, const int64_t *high,
              const int64_t *places, int64_t n, int64_t divisor, double empty, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = (double)(totals[high[i]] - totals[low[i]]);
        out[places[i]] = high[i] > low[i] ? sum / (double)divisor : empty;
    }
}

/* Put the mean of range i, from running totals, over `divisor`. */
void put_means(const int64_t *totals, const int64_t *low, const int64_t *high,
               const int64_t *places, int64_t n, int64_t divisor, double empty, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t count = high[i] - low[i];
        double sum = (double)(totals[high[i]] - totals[low[i]]);
        out[places[i]] = count > 0 ? sum / (double)(count * divisor) : empty;
    }
}
