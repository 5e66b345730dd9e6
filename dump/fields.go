package dump

// fieldID names a field of a structure of the kernel, or the size of a structure.
type fieldID int

const (
	eprocessSize fieldID = iota
	eprocessUniqueProcessId
	eprocessActiveProcessLinks
	eprocessImageFileName
	eprocessThreadListHead
	eprocessPeb
	eprocessInheritedFromUniqueProcessId
	eprocessObjectTable
	kprocessDirectoryTableBase
	ethreadSize
	ethreadCid
	ethreadThreadListEntry
	ethreadStartAddress
	ethreadWin32StartAddress
	ethreadIrpList
	kthreadInitialStack
	kthreadStackLimit
	kthreadStackBase
	kthreadKernelStack
	kthreadKernelStackResident
	kthreadAlertable
	kthreadTimerActive
	kthreadTimer
	kthreadState
	kthreadWaitReason
	kthreadWaitMode
	kthreadWaitTime
	kthreadWaitBlockList
	kthreadWaitBlockCount
	kthreadProcess
	kthreadApcState
	kthreadContextSwitches
	kthreadNextProcessor
	kthreadTeb
	kthreadWin32Thread
	kthreadPriority
	kthreadBasePriority
	kthreadPriorityDecrement
	kthreadKernelTime
	kthreadUserTime
	kthreadSuspendCount
	kthreadQueue
	apcStateProcess
	waitBlockSize
	waitBlockWaitListEntry
	waitBlockThread
	waitBlockObject
	waitBlockNextWaitBlock
	headerType
	headerWaitListHead
	semaphoreLimit
	mutantOwnerThread
	irpSize
	irpThreadListEntry
	eresourceSize
	eresourceSystemResourcesList
	eresourceOwnerTable
	eresourceActiveCount
	eresourceFlag
	eresourceSharedWaiters
	eresourceExclusiveWaiters
	eresourceOwnerEntry
	eresourceContentionCount
	eresourceNumberOfSharedWaiters
	eresourceNumberOfExclusiveWaiters
	ownerOwnerThread
	ownerOwnerCount
	ownerTableSize
	chainThread
	chainEvent
	fastSize
	prcbCurrentThread
	prcbIdleThread
	prcbProcessorState
	prcbContext
	processorStateContextFrame
	stackControlPrevious
	oldStackControlPrevious
	segmentStackBase
	segmentStackLimit
	segmentKernelStack
	segmentInitialStack
	fieldCount
)

// fieldNames are the fields as symbols name them.
var fieldNames = [fieldCount]string{
	eprocessSize:                         "_EPROCESS.size",
	eprocessUniqueProcessId:              "_EPROCESS.UniqueProcessId",
	eprocessActiveProcessLinks:           "_EPROCESS.ActiveProcessLinks",
	eprocessImageFileName:                "_EPROCESS.ImageFileName",
	eprocessThreadListHead:               "_EPROCESS.ThreadListHead",
	eprocessPeb:                          "_EPROCESS.Peb",
	eprocessInheritedFromUniqueProcessId: "_EPROCESS.InheritedFromUniqueProcessId",
	eprocessObjectTable:                  "_EPROCESS.ObjectTable",
	kprocessDirectoryTableBase:           "_KPROCESS.DirectoryTableBase",
	ethreadSize:                          "_ETHREAD.size",
	ethreadCid:                           "_ETHREAD.Cid",
	ethreadThreadListEntry:               "_ETHREAD.ThreadListEntry",
	ethreadStartAddress:                  "_ETHREAD.StartAddress",
	ethreadWin32StartAddress:             "_ETHREAD.Win32StartAddress",
	ethreadIrpList:                       "_ETHREAD.IrpList",
	kthreadInitialStack:                  "_KTHREAD.InitialStack",
	kthreadStackLimit:                    "_KTHREAD.StackLimit",
	kthreadStackBase:                     "_KTHREAD.StackBase",
	kthreadKernelStack:                   "_KTHREAD.KernelStack",
	kthreadKernelStackResident:           "_KTHREAD.KernelStackResident",
	kthreadAlertable:                     "_KTHREAD.Alertable",
	kthreadTimerActive:                   "_KTHREAD.TimerActive",
	kthreadTimer:                         "_KTHREAD.Timer",
	kthreadState:                         "_KTHREAD.State",
	kthreadWaitReason:                    "_KTHREAD.WaitReason",
	kthreadWaitMode:                      "_KTHREAD.WaitMode",
	kthreadWaitTime:                      "_KTHREAD.WaitTime",
	kthreadWaitBlockList:                 "_KTHREAD.WaitBlockList",
	kthreadWaitBlockCount:                "_KTHREAD.WaitBlockCount",
	kthreadProcess:                       "_KTHREAD.Process",
	kthreadApcState:                      "_KTHREAD.ApcState",
	kthreadContextSwitches:               "_KTHREAD.ContextSwitches",
	kthreadNextProcessor:                 "_KTHREAD.NextProcessor",
	kthreadTeb:                           "_KTHREAD.Teb",
	kthreadWin32Thread:                   "_KTHREAD.Win32Thread",
	kthreadPriority:                      "_KTHREAD.Priority",
	kthreadBasePriority:                  "_KTHREAD.BasePriority",
	kthreadPriorityDecrement:             "_KTHREAD.PriorityDecrement",
	kthreadKernelTime:                    "_KTHREAD.KernelTime",
	kthreadUserTime:                      "_KTHREAD.UserTime",
	kthreadSuspendCount:                  "_KTHREAD.SuspendCount",
	kthreadQueue:                         "_KTHREAD.Queue",
	apcStateProcess:                      "_KAPC_STATE.Process",
	waitBlockSize:                        "_KWAIT_BLOCK.size",
	waitBlockWaitListEntry:               "_KWAIT_BLOCK.WaitListEntry",
	waitBlockThread:                      "_KWAIT_BLOCK.Thread",
	waitBlockObject:                      "_KWAIT_BLOCK.Object",
	waitBlockNextWaitBlock:               "_KWAIT_BLOCK.NextWaitBlock",
	headerType:                           "_DISPATCHER_HEADER.Type",
	headerWaitListHead:                   "_DISPATCHER_HEADER.WaitListHead",
	semaphoreLimit:                       "_KSEMAPHORE.Limit",
	mutantOwnerThread:                    "_KMUTANT.OwnerThread",
	irpSize:                              "_IRP.size",
	irpThreadListEntry:                   "_IRP.ThreadListEntry",
	eresourceSize:                        "_ERESOURCE.size",
	eresourceSystemResourcesList:         "_ERESOURCE.SystemResourcesList",
	eresourceOwnerTable:                  "_ERESOURCE.OwnerTable",
	eresourceActiveCount:                 "_ERESOURCE.ActiveCount",
	eresourceFlag:                        "_ERESOURCE.Flag",
	eresourceSharedWaiters:               "_ERESOURCE.SharedWaiters",
	eresourceExclusiveWaiters:            "_ERESOURCE.ExclusiveWaiters",
	eresourceOwnerEntry:                  "_ERESOURCE.OwnerEntry",
	eresourceContentionCount:             "_ERESOURCE.ContentionCount",
	eresourceNumberOfSharedWaiters:       "_ERESOURCE.NumberOfSharedWaiters",
	eresourceNumberOfExclusiveWaiters:    "_ERESOURCE.NumberOfExclusiveWaiters",
	ownerOwnerThread:                     "_OWNER_ENTRY.OwnerThread",
	ownerOwnerCount:                      "_OWNER_ENTRY.OwnerCount",
	ownerTableSize:                       "_OWNER_ENTRY.TableSize",
	chainThread:                          "_KWAIT_CHAIN_ENTRY.Thread",
	chainEvent:                           "_KWAIT_CHAIN_ENTRY.Event",
	fastSize:                             "_FAST_ERESOURCE.size",
	prcbCurrentThread:                    "_KPRCB.CurrentThread",
	prcbIdleThread:                       "_KPRCB.IdleThread",
	prcbProcessorState:                   "_KPRCB.ProcessorState",
	prcbContext:                          "_KPRCB.Context",
	processorStateContextFrame:           "_KPROCESSOR_STATE.ContextFrame",
	stackControlPrevious:                 "_KSTACK_CONTROL.Previous",
	oldStackControlPrevious:              "_KERNEL_STACK_CONTROL.Previous",
	segmentStackBase:                     "_KERNEL_STACK_SEGMENT.StackBase",
	segmentStackLimit:                    "_KERNEL_STACK_SEGMENT.StackLimit",
	segmentKernelStack:                   "_KERNEL_STACK_SEGMENT.KernelStack",
	segmentInitialStack:                  "_KERNEL_STACK_SEGMENT.InitialStack",
}
