// The few extension members that we add to EPCIS events, in one namespace.
#ifndef PACKTRAIL_COMMON_EPCIS_PACKTRAIL_TERMS_H
#define PACKTRAIL_COMMON_EPCIS_PACKTRAIL_TERMS_H

#define PACKTRAIL_TERMS_NAMESPACE "urn:packtrail:terms:"
#define PACKTRAIL_TERMS_PREFIX "packtrail"

// Event level, dispensing and returns: integer, how many smallest units of each pack of the event. Absent: whole packs.
#define PACKTRAIL_TERM_UNITS "units"

// ilmd, commissioning: integer, how many smallest units a pack holds, where its product's master record does not say.
#define PACKTRAIL_TERM_CONTENT "content"

// Event level: integer seconds, how far the capturing clock may be off, as the terminal measured it. Absent: not measured.
#define PACKTRAIL_TERM_CLOCK_ERROR "clockError"

// Event level: lot and expiry (YYYY-MM-DD) as the label of the things scanned says, where all of an event's things say the
// same. An announcement says them in its ilmd.
#define PACKTRAIL_TERM_LOT "lot"
#define PACKTRAIL_TERM_EXPIRY "expiry"

// Event level: the rotating pseudonym of the member of staff who worked; only the employer maps it to a person.
#define PACKTRAIL_TERM_STAFF "staff"

// Event level: list of texts "urn:packtrail:nfc:{UID};{counter}", the taps by which tags of the event's packs proved themselves
// to the terminal (NTAG 424 DNA: the message authentication code held). A counter that comes twice is a copied tag.
#define PACKTRAIL_TERM_TAPS "taps"

// Event level: list of texts "{EPC};{why}": packs that staff took in spite of a warning ("expired", "recalled", "unexpected",
// "wrong_product", "duplicate_work", "not_verified", "maybe_recalled", "fake_tag", "doubtful_chip").
#define PACKTRAIL_TERM_INSISTED "insisted"

// Event level, exceptions at receiving: "too_many", "too_few", "damaged", "no_data", "no_product", "other"; the count that it is
// about; a note of staff.
#define PACKTRAIL_TERM_EXCEPTION "exception"
#define PACKTRAIL_TERM_EXCEPTION_QUANTITY "exceptionQuantity"
#define PACKTRAIL_TERM_EXCEPTION_NOTE "exceptionNote"
// The EPC of the one thing that was announced and did not come: it was not seen, so it does not stand in the epcList.
#define PACKTRAIL_TERM_EXCEPTION_PACK "exceptionPack"

// Business step of an AssociationEvent that links a second code, or a tag (urn:packtrail:nfc:{UID}), to a pack: parentID is the pack, childEPCs
// the other codes; ADD links, DELETE unlinks. Whatever is then said of the other code is said of the pack.
#define PACKTRAIL_STEP_LINKING "urn:packtrail:bizstep:linking"

// Dispositions for which the CBV has no word: pack states that the EU's delegated regulation 2016/161 knows. Any step.
#define PACKTRAIL_DISPOSITION "urn:packtrail:disp:"
#define PACKTRAIL_DISPOSITION_EXPORTED PACKTRAIL_DISPOSITION "exported"
#define PACKTRAIL_DISPOSITION_CHECKED_OUT PACKTRAIL_DISPOSITION "checked_out"
#define PACKTRAIL_DISPOSITION_FREE_SAMPLE PACKTRAIL_DISPOSITION "free_sample"
#define PACKTRAIL_DISPOSITION_LOCKED PACKTRAIL_DISPOSITION "locked"
#define PACKTRAIL_DISPOSITION_WITHDRAWN PACKTRAIL_DISPOSITION "withdrawn"

// Business transactions of our own types (event level, bizTransactionList). Each only refers: what it refers to stays with
// whoever keeps it. None may be or contain a direct identifier of a person (name, number of a card or a document,
// telephone), nor a number that somebody else's register resolves to a person: an event is signed and kept for good.
//
// One more type, the kind of warehouse document that an event is in China, stands in common/epcis/cn_document.h.

// Dispensing and returns: the sale at the pharmacy's till that the event belongs to; the id is urn:packtrail:sale:{token},
// the token percent-encoded, random or keyed by the pharmacy. Encounter number (mdtrt_sn), fee details (feedetl_sn), prices
// and the like are in the pharmacy's record of that sale, which its gateway holds (gateway/settlement/README.md).
#define PACKTRAIL_TRANSACTION_SALE "urn:packtrail:btt:sale"
#define PACKTRAIL_SALE_URI "urn:packtrail:sale:"

// Dispensing: the commitment to a prescription; the id is urn:packtrail:prescription:{64 hex digits}, an HMAC-SHA-256 under
// the settlement service's key.
#define PACKTRAIL_TRANSACTION_PRESCRIPTION "urn:packtrail:btt:prescription"
#define PACKTRAIL_PRESCRIPTION_URI "urn:packtrail:prescription:"

#endif
