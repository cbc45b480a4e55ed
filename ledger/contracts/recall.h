// Recalls (common/recall): who may begin, extend and end them, and which packs they cover.
//
// STATE_RECALL: 'p' + product identifier -> the recalls of it in force, compact; 'i' + recall id -> the newest notice with the
// recall's history. Nothing is written per pack: whoever handles or shows a pack asks whether a recall covers it.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_RECALL_H
#define PACKTRAIL_LEDGER_CONTRACTS_RECALL_H

#include "common/recall/recall_notice.h"
#include "ledger/contracts/contract.h"

extern const struct contract recall_contract;

#define RECALL_STATE_MAX ((size_t)384 * 1024)  // bytes of one value of STATE_RECALL
#define RECALLS_IN_FORCE_MAX 64u               // of one product

// --- For contracts that judge events (lifecycle) ---
//
//   declare:  recall_declare_packs(input, out);                       once an event
//   apply:    recall_lists_read(view, input, context->arena, &lists)  once an event; cheap when nothing is recalled
//             recall_covers(&lists, &question, &cover)                once a pack; nothing to pay when lists.count is 0
//
// An event of before the recall accuses nobody: what it names is not covered then.

// Declares that the recalls of every product that the event names are read.
void recall_declare_packs(const struct contract_input *input, struct access_list *out);
void recall_declare(const char *product, struct access_list *out);  // of one product (master_facts_product_of)

// One recall in force, of one product.
struct recall_in_force {
    const char *id;
    uint64_t version;
    unsigned level;
    enum recall_depth depth;
    pt_millis since;            // chain time from which on its scope is known to everybody
    struct recall_scope scope;
};
struct recall_list {
    const char *product;
    struct recall_in_force *items;
    size_t count;
};
// Of the products of an event that have any.
struct recall_lists {
    struct recall_list *items;
    size_t count;
};
enum pt_code recall_lists_read(struct state_view *view, const struct contract_input *input, struct pt_arena *arena,
                               struct recall_lists *out, struct pt_error *err) PT_NODISCARD;

struct recall_pack {
    const struct pack_id *id;
    const char *lot;          // as its maker announced it, else its label; NULL or "": not known
    const char *territory;    // of its place (place_facts.territory); NULL or "": not known
    pt_millis event_time;     // INT64_MAX: now
};
struct recall_cover {
    bool covered;
    unsigned doubt;           // of enum recall_doubt; 0: certainly covered
    const struct recall_in_force *recall;  // the one that counts: certain before doubtful, then the gravest level
};
void recall_covers(const struct recall_lists *lists, const struct recall_pack *pack, struct recall_cover *out);

// --- For queries, which read the values themselves ---

// Keys into `out`; the id and the product as they stand in the notice.
void recall_product_key(const char *product, struct pt_buf *out);
void recall_id_key(const char *id, struct pt_buf *out);
enum pt_code recall_list_decode(struct pt_bytes value, const char *product, struct pt_arena *arena, struct recall_list *out,
                                struct pt_error *err) PT_NODISCARD;

// What 'i' + id holds.
#define RECALL_HISTORY_MAX 64u  // the newest
struct recall_step {
    uint64_t version;
    enum recall_action action;
    uint64_t leaf_index;
    pt_millis time;           // chain time
    struct pt_digest signer;  // kid
};
struct recall_record {
    bool by_authority;        // begun or taken over by an operator or a regulator: a company cannot change it
    pt_millis since;          // chain time of its beginning
    pt_millis ended;          // chain time of its end; 0 while it is in force
    struct recall_step *steps;
    size_t step_count;
    struct recall_notice scope;   // the last notice that was no end: what the recall covers or covered
    struct recall_notice newest;  // equal to it, or the end
};
enum pt_code recall_record_decode(struct pt_bytes value, struct pt_arena *arena, struct recall_record *out,
                                  struct pt_error *err) PT_NODISCARD;

#endif
